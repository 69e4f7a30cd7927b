import Foundation
import GRDB

/// A time during which one instance was seen to cost the same.
package struct MeterSpan: Hashable, Sendable {
    package var instance: InstanceID
    package var name: String?
    package var gpuName: String
    /// The project that it was rented for; nil if it was not rented from here.
    package var project: String?
    package var startedAt: Date
    /// When it was last seen at this price.
    package var seenAt: Date
    package var price: HourlyPrice
    /// False while its end is unknown: the instance is assumed to cost the same until it is seen again.
    package var isOver: Bool

    package init(
        instance: InstanceID, name: String? = nil, gpuName: String, project: String? = nil, startedAt: Date,
        seenAt: Date, price: HourlyPrice, isOver: Bool
    ) {
        self.instance = instance
        self.name = name
        self.gpuName = gpuName
        self.project = project
        self.startedAt = startedAt
        self.seenAt = seenAt
        self.price = price
        self.isOver = isOver
    }
}

/// The observed costs of instances, and the platforms' charges for them.
extension Store {
    static let moneySchema = """
        ALTER TABLE ledger ADD COLUMN updatedAt REAL;
        ALTER TABLE ledger ADD COLUMN creator TEXT;
        ALTER TABLE ledger ADD COLUMN lease TEXT;
        CREATE TABLE ledgerStep (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL,
            step TEXT NOT NULL,
            at REAL NOT NULL
        );
        CREATE INDEX ledgerStepByName ON ledgerStep (name);
        CREATE TABLE meter (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            platform TEXT NOT NULL,
            instance TEXT NOT NULL,
            name TEXT,
            gpu TEXT NOT NULL,
            project TEXT,
            startedAt REAL NOT NULL,
            seenAt REAL NOT NULL,
            dollarsPerHour REAL NOT NULL,
            isOver INTEGER NOT NULL DEFAULT 0
        );
        CREATE INDEX meterByInstance ON meter (platform, instance);
        CREATE INDEX meterBySeen ON meter (seenAt);
        CREATE TABLE charge (
            platform TEXT NOT NULL,
            instance TEXT NOT NULL,
            day REAL NOT NULL,
            dollars REAL NOT NULL,
            countedUntil REAL NOT NULL,
            PRIMARY KEY (platform, instance, day)
        );
        CREATE TABLE alarm (
            key TEXT PRIMARY KEY NOT NULL,
            since REAL NOT NULL
        );
        """

    /// Records the current cost of `instances`. A price that changed since the last look is assumed to have
    /// changed half way between the two: the exact time is unknown, and over many changes that is right.
    ///
    /// - Parameter whole: the platform whose complete list this is; its other instances are over.
    package func meter(
        _ instances: [Instance], projects: [InstanceID: String] = [:], whole: Platform? = nil, at now: Date
    ) throws(EngineError) {
        try self.write("recording what instances cost") { database in
            for instance in instances {
                try Self.observe(instance, project: projects[instance.id], now, database)
            }
            guard let whole else { return }
            let shown = Set(instances.map(\.id.rawValue))
            let open = try String.fetchSet(
                database, sql: "SELECT instance FROM meter WHERE platform = ? AND isOver = 0",
                arguments: [whole.rawValue])
            for id in open.subtracting(shown) {
                try database.execute(
                    sql: """
                        UPDATE meter SET isOver = 1, seenAt = (seenAt + ?) / 2
                        WHERE platform = ? AND instance = ? AND isOver = 0
                        """,
                    arguments: [now.timeIntervalSince1970, whole.rawValue, id])
            }
        }
    }

    private static func observe(
        _ instance: Instance, project: String?, _ now: Date, _ database: Database
    ) throws {
        let time = now.timeIntervalSince1970
        let key: StatementArguments = [instance.id.platform.rawValue, instance.id.rawValue]
        let last = try Row.fetchOne(
            database,
            sql: """
                SELECT number, seenAt, dollarsPerHour FROM meter
                WHERE platform = ? AND instance = ? AND isOver = 0 ORDER BY number DESC LIMIT 1
                """, arguments: key)
        var start = instance.createdAt?.timeIntervalSince1970 ?? time
        if let last {
            let seenAt = last.number("seenAt", .epoch) ?? 0
            let price = last.number("dollarsPerHour", .dollarsPerHour) ?? -1
            guard time > seenAt, let number = last.whole("number") else { return }
            if abs(price - instance.price.dollarsPerHour) < 1e-9 {
                try database.execute(
                    sql: "UPDATE meter SET seenAt = ?, project = coalesce(project, ?) WHERE number = ?",
                    arguments: [time, project, number])
                return
            }
            start = (seenAt + time) / 2
            try database.execute(
                sql: "UPDATE meter SET seenAt = ?, isOver = 1 WHERE number = ?", arguments: [start, number])
        }
        try database.execute(
            sql: """
                INSERT INTO meter (platform, instance, name, gpu, project, startedAt, seenAt, dollarsPerHour)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                instance.id.platform.rawValue, instance.id.rawValue, instance.name, instance.gpuName, project,
                min(start, time), time, instance.price.withinBounds.dollarsPerHour,
            ])
    }

    /// Records that `instance` is gone.
    package func endMeter(of instance: InstanceID, at now: Date) throws(EngineError) {
        try self.write("recording what instances cost") { database in
            try database.execute(
                sql: """
                    UPDATE meter SET isOver = 1, seenAt = max(seenAt, ?)
                    WHERE platform = ? AND instance = ? AND isOver = 0
                    """,
                arguments: [now.timeIntervalSince1970, instance.platform.rawValue, instance.rawValue])
        }
    }

    package func meterSpans(since date: Date) throws(EngineError) -> [MeterSpan] {
        try self.read("reading the history") { database in
            try Row.fetchAll(
                database, sql: "SELECT * FROM meter WHERE isOver = 0 OR seenAt >= ? ORDER BY number",
                arguments: [date.timeIntervalSince1970]
            ).compactMap { row in
                guard let platform = row.text("platform").flatMap(Platform.init(rawValue:)),
                    let instance = row.instance("instance", on: platform)
                else { return nil }
                // Without a known time, the span has no length.
                let (startedAt, seenAt) = (row.moment("startedAt"), row.moment("seenAt"))
                guard let start = startedAt ?? seenAt else { return nil }
                let price = row.number("dollarsPerHour", .dollarsPerHour) ?? 0
                return MeterSpan(
                    instance: instance, name: row.text("name"), gpuName: row.text("gpu") ?? "unknown GPU",
                    project: row.text("project"), startedAt: start, seenAt: seenAt ?? start,
                    price: HourlyPrice(dollarsPerHour: price), isOver: row.flag("isOver") ?? true)
            }
        }
    }

    package func keep(_ charges: [Charge]) throws(EngineError) {
        try self.write("recording charges") { database in
            for charge in charges.compactMap({ $0.bounded() }) {
                try database.execute(
                    sql: """
                        INSERT OR REPLACE INTO charge (platform, instance, day, dollars, countedUntil)
                        VALUES (?, ?, ?, ?, ?)
                        """,
                    arguments: [
                        charge.instance.platform.rawValue, charge.instance.rawValue,
                        charge.day.timeIntervalSince1970, charge.dollars,
                        charge.countedUntil.timeIntervalSince1970,
                    ])
            }
        }
    }

    package func charges(since date: Date) throws(EngineError) -> [Charge] {
        try self.read("reading the history") { database in
            try Row.fetchAll(
                database, sql: "SELECT * FROM charge WHERE countedUntil >= ? ORDER BY day",
                arguments: [date.timeIntervalSince1970]
            ).compactMap { row in
                guard let platform = row.text("platform").flatMap(Platform.init(rawValue:)),
                    let instance = row.instance("instance", on: platform), let day = row.moment("day"),
                    let dollars = row.number("dollars", .dollars), let until = row.moment("countedUntil")
                else { return nil }
                return Charge(instance: instance, day: day, dollars: dollars, countedUntil: until)
            }
        }
    }

    /// Records which alarms ring and since when, and returns those that did not ring before.
    package func ring(_ keys: Set<String>, at now: Date) throws(EngineError) -> Set<String> {
        let known = try self.read("reading the history") { database in
            try String.fetchSet(database, sql: "SELECT key FROM alarm")
        }
        // Usually nothing has changed, and then nothing is written.
        guard known != keys else { return [] }
        return try self.write("recording alarms") { database in
            let known = try String.fetchSet(database, sql: "SELECT key FROM alarm")
            for key in known.subtracting(keys) {
                try database.execute(sql: "DELETE FROM alarm WHERE key = ?", arguments: [key])
            }
            for key in keys.subtracting(known) {
                try database.execute(
                    sql: "INSERT INTO alarm (key, since) VALUES (?, ?)",
                    arguments: [key, now.timeIntervalSince1970])
            }
            return keys.subtracting(known)
        }
    }
}
