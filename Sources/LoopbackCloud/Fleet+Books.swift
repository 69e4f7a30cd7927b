import Foundation

/// The charges of one rental on one day.
struct BookEntry: Sendable {
    let rental: Int
    /// The id in the platform's own bills.
    let id: String
    let label: String?
    let market: Market
    /// Midnight UTC, in seconds since 1970.
    let day: Double
    var gpu = 0.0
    var gpuSeconds = 0.0
    var gpuPrice = 0.0
    var disk = 0.0
    var diskSeconds = 0.0
    var gigabytes = 0.0
    let createdAt: Double
    var until: Double

    var total: Double { self.gpu + self.disk }
}

/// The platforms' bills: the charges by rental and day, including rentals that are gone.
extension Fleet {
    static let day = 86_400.0

    /// Books the use of `rental` from `start` to `end`, split at midnight UTC.
    func book(_ rental: Rental, from start: Double, to end: Double) {
        var from = start
        while from < end {
            let day = (from / Self.day).rounded(.down) * Self.day
            let to = min(end, day + Self.day)
            let index =
                self.books.lastIndex { $0.rental == rental.id && $0.day == day }
                ?? {
                    self.books.append(
                        BookEntry(
                            rental: rental.id, id: rental.pod?.id ?? String(rental.id),
                            label: rental.pod?.name ?? rental.terms.label, market: rental.market, day: day,
                            createdAt: rental.createdAt, until: to))
                    return self.books.count - 1
                }()
            let hours = (to - from) / 3600
            if rental.isChargedForGPU {
                self.books[index].gpu += rental.gpuPrice * hours
                self.books[index].gpuSeconds += to - from
                self.books[index].gpuPrice = rental.gpuPrice
            }
            self.books[index].disk += rental.storagePrice * hours
            self.books[index].diskSeconds += to - from
            self.books[index].gigabytes = rental.terms.disk
            self.books[index].until = to
            from = to
        }
    }

    /// The charges of `market` by day, after booking everything up to now.
    func bookEntries(of market: Market) -> [BookEntry] {
        self.charge()
        return self.books.filter { $0.market == market }
    }
}

/// A separately rented disk on one of vast.ai's machines.
struct LocalVolume: Sendable {
    let id: Int
    let name: String
    /// In GB.
    let size: Int
    let createdAt: Double
    /// The instance that uses it.
    let user: String?
}

extension Fleet {
    func addLocalVolume(name: String, size: Int, usedBy user: String?) -> String {
        let id = self.nextNumber()
        self.localVolumes.append(
            LocalVolume(id: id, name: name, size: size, createdAt: self.clock(), user: user))
        return String(id)
    }
}

extension VastAPI {
    /// `gte` and `lte` limit the days; each instance has one row for the whole range.
    func charges(_ query: [String: String]) async throws(VastError) -> APIReply {
        let filters = query["select_filters"].flatMap { JSON(parsing: Data($0.utf8)) }
        guard let start = filters?["day"]?["gte"]?.double, let end = filters?["day"]?["lte"]?.double else {
            throw .invalidRequest("Must provide both 'day' gte and lte filters for instance charges")
        }
        let types = filters?["type"]?["in"]?.elements?.compactMap(\.text) ?? ["instance"]
        let entries = await self.fleet.bookEntries(of: .vast).filter { entry in
            entry.day <= end && entry.day + Fleet.day > start && types.contains("instance")
        }
        var rows: [JSON] = []
        for (id, days) in Dictionary(grouping: entries, by: \.rental).sorted(by: { $0.key > $1.key }) {
            guard let first = days.first, let last = days.last else { continue }
            let gpu = days.reduce(0) { $0 + $1.gpu }
            let disk = days.reduce(0) { $0 + $1.disk }
            let hours = days.reduce(0) { $0 + $1.gpuSeconds } / 3600
            let gpuItem: JSON = [
                "type": "gpu", "amount": .rounded(gpu, 6),
                "description": .string(String(format: "%.3f hours at $%.3f/hour", hours, last.gpuPrice)),
            ]
            let diskItem: JSON = [
                "type": "disk", "amount": .rounded(disk, 6),
                "description": .string(String(format: "%.1f GB", last.gigabytes)),
            ]
            rows.append([
                "start": .int(Int(first.createdAt)), "end": .int(Int(last.until)), "type": "instance",
                "source": .string("instance-\(id)"), "description": .string("Instance \(id) Charges"),
                "amount": .rounded(gpu + disk, 6), "metadata": ["label": .optional(last.label)],
                "items": .array([gpuItem, diskItem]),
            ])
        }
        let limit = min(500, max(1, query["limit"].flatMap { Int($0) } ?? 100))
        let offset = query["after_token"].flatMap { Int($0) } ?? 0
        guard offset >= 0 else { throw .invalidToken }
        let page = Array(rows.dropFirst(offset).prefix(limit))
        let isLast = offset + page.count >= rows.count
        return .json([
            "success": true, "count": .int(page.count), "total": .int(rows.count),
            "next_token": isLast ? nil : .string(String(offset + page.count)), "results": .array(page),
        ])
    }

    func volumes() async -> APIReply {
        let rows = await self.fleet.localVolumes.map { volume -> JSON in
            [
                "id": .int(volume.id), "label": .string(volume.name),
                "status": volume.user == nil ? "created" : "in-use", "machine_id": 1,
                "disk_space": .int(volume.size),
                "storage_total_cost": .number(Double(volume.size) * 0.15 / 720),
                "start_date": .number(volume.createdAt), "end_date": nil,
                "instances": .array(volume.user.map { [.string($0)] } ?? []), "type": "machine",
            ]
        }
        return .json(["success": true, "volumes": .array(rows)])
    }
}

extension RunPodAPI {
    /// One record for each pod and day.
    func billing(_ query: [String: String]) async throws(RunPodError) -> APIReply {
        guard query["bucketSize"] ?? "day" == "day" else { throw .rule("bucketSize: only day is emulated") }
        if query["lastN"] != nil, query["startTime"] != nil || query["endTime"] != nil {
            throw .rule("lastN and startTime/endTime are mutually exclusive")
        }
        let now = self.fleet.clock()
        func time(_ name: String) throws(RunPodError) -> Double? {
            guard let text = query[name] else { return nil }
            guard let date = try? Date.ISO8601FormatStyle().parse(text) else {
                throw .rule("\(name): not a date-time")
            }
            return date.timeIntervalSince1970
        }
        let midnight = (now / Fleet.day).rounded(.down) * Fleet.day
        var start = try time("startTime") ?? now - 30 * Fleet.day
        if let days = query["lastN"].flatMap({ Double($0) }) { start = midnight - (days - 1) * Fleet.day }
        start = (start / Fleet.day).rounded(.down) * Fleet.day
        let end = ((try time("endTime") ?? now) / Fleet.day).rounded(.up) * Fleet.day
        let entries = await self.fleet.bookEntries(of: .runPod).filter { entry in
            entry.day >= start && entry.day < end && query["podId"].map { $0 == entry.id } ?? true
        }
        func amounts(_ entries: [BookEntry]) -> [String: JSON] {
            let gpu = entries.reduce(0) { $0 + $1.gpu }
            let disk = entries.reduce(0) { $0 + $1.disk }
            return [
                "totalAmount": .rounded(gpu + disk, 6), "gpuAmount": .rounded(gpu, 6), "cpuAmount": 0,
                "diskAmount": .rounded(disk, 6),
            ]
        }
        let records = entries.map { entry -> JSON in
            var record = amounts([entry])
            record["startTime"] = RunPodRows.date(entry.day)
            record["endTime"] = RunPodRows.date(entry.day + Fleet.day)
            record["podId"] = .string(entry.id)
            return .object(record)
        }
        return .json([
            "records": .array(records),
            "metadata": [
                "query": [
                    "startTime": RunPodRows.date(start), "endTime": RunPodRows.date(end), "bucketSize": "day",
                    "podId": .optional(query["podId"]),
                ],
                "recordCount": .int(records.count),
                "uniquePodCount": .int(Set(entries.map(\.id)).count), "totals": .object(amounts(entries)),
            ],
        ])
    }
}
