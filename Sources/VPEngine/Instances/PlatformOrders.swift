/// The requests by which an instance gives its platform orders about itself, with a key of its own.
enum PlatformOrders {
    /// The requests of one platform. The state is read at `lookStart` + id + `lookEnd`; a stop is requested
    /// at that address plus `stopPath`, a destroy with DELETE.
    struct Terms {
        /// The variable of the first process that contains the instance's own key.
        var variable: String
        /// The variable of the first process that contains the instance's id.
        var idVariable: String
        var lookStart: String
        var lookEnd: String
        var stopMethod: String
        var stopPath: String
        var stopBody: String

        init(_ platform: Platform, apiBase: String) {
            switch platform {
            case .vast:
                self.variable = "CONTAINER_API_KEY"
                self.idVariable = "CONTAINER_ID"
                self.lookStart = "\(apiBase)/api/v0/instances/"
                self.lookEnd = "/"
                self.stopMethod = "PUT"
                self.stopPath = ""
                self.stopBody = #"{"state":"stopped"}"#
            case .runpod:
                self.variable = "RUNPOD_API_KEY"
                self.idVariable = "RUNPOD_POD_ID"
                self.lookStart = "\(apiBase)/pods/"
                self.lookEnd = ""
                self.stopMethod = "POST"
                self.stopPath = "/action"
                self.stopBody = #"{"action":"stop"}"#
            }
        }
    }
}
