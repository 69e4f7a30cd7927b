/// How an instance gives its platform orders about itself, with a key of its own.
enum PlatformOrders {
    /// The words of one platform. What tells of an instance is at `lookStart`, its id and `lookEnd`;
    /// a stop is asked for there and at `stopPath`, a destroy by DELETE.
    struct Terms {
        /// What the instance's own key is called in its first process.
        var variable: String
        /// What its id is called there.
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
