import Foundation
import VPEngine

/// The engine's values as JSON for scripts. Keys are added, never renamed or removed.
enum Documents {
    static func instances(_ answers: PlatformAnswers<Instance>) -> JSON {
        .object([
            "instances": .list(answers.values.map(Self.instance)),
            "errors": .list(answers.failures.map(Self.failure)),
        ])
    }

    static func instance(_ instance: Instance) -> JSON {
        .object([
            "platform": .text(instance.id.platform.rawValue),
            "id": .text(instance.id.rawValue),
            "name": .text(instance.name),
            "status": .text(instance.status.rawValue),
            "status_message": .text(instance.statusMessage),
            "gpu": .text(instance.gpuName),
            "gpu_count": .integer(Int64(instance.gpuCount)),
            "gpu_memory_bytes": .integer(instance.gpuMemoryBytes),
            "dollars_per_hour": .number(instance.price.dollarsPerHour),
            "created_at": .date(instance.createdAt),
            "image": .text(instance.image),
            "disk_bytes": .integer(instance.diskBytes),
            "location": .text(instance.location),
            "interruptible": .flag(instance.isInterruptible),
            "ssh": instance.ssh.map { address in
                .object([
                    "host": .text(address.host), "port": .integer(Int64(address.port)),
                    "user": .text(address.user),
                ])
            } ?? .null,
            "lease_ends_at": .date(instance.leaseEndsAt),
            "lease_guardian": .text(instance.lease?.guardian.rawValue),
        ])
    }

    static func offers(_ answers: PlatformAnswers<Offer>, job: JobEstimate) -> JSON {
        .object([
            "offers": .list(answers.values.map { Self.offer($0, job: job) }),
            "errors": .list(answers.failures.map(Self.failure)),
        ])
    }

    static func plan(_ plan: RentalPlan) -> JSON {
        .object([
            "dry_run": .flag(true),
            "offer": Self.offer(plan.offers[0], job: plan.job),
            "image": .text(plan.image),
            "image_cuda": .number(plan.imageCUDA),
            "unfit_gpus": .list(plan.unfitGPUs.map { .text($0) }),
            "alternatives": .list(plan.offers.dropFirst().map { Self.offer($0, job: plan.job) }),
            "errors": .list(plan.failures.map(Self.failure)),
        ])
    }

    static func offer(_ offer: Offer, job: JobEstimate) -> JSON {
        .object([
            "platform": .text(offer.id.platform.rawValue),
            "id": .text(offer.id.rawValue),
            "gpu": .text(offer.gpuName),
            "gpu_count": .integer(Int64(offer.gpuCount)),
            "gpu_memory_bytes": .integer(offer.gpuMemoryBytes),
            "dollars_per_hour": .number(offer.price.dollarsPerHour),
            "reliability": .number(offer.reliability),
            "location": .text(offer.location),
            "interruptible": .flag(offer.isInterruptible),
            "cpu_cores": .number(offer.cpuCores),
            "memory_bytes": .integer(offer.memoryBytes),
            "disk_bytes": .integer(offer.diskBytes),
            "download_mbps": .number(offer.downloadMbps),
            "upload_mbps": .number(offer.uploadMbps),
            "cuda": .number(offer.cudaVersion),
            "job_hours": .number(job.hours),
            "job_traffic_dollars": .number(offer.trafficDollars(for: job)),
            "job_dollars": .number(offer.dollars(for: job)),
        ])
    }

    /// - Parameter connection: whether this machine follows a running job.
    /// - Parameter training: the metrics in its log, if it was read.
    static func job(_ job: Job, connection: JobRecord.Connection?, training: TrainingReport? = nil) -> JSON {
        guard case .object(let members) = Self.job(job, connection) else { return .null }
        return .object(members + (training.map { MetricsText.summary($0) } ?? []))
    }

    private static func job(_ job: Job, _ connection: JobRecord.Connection?) -> JSON {
        var exitCode: Int64?
        var signal: Int64?
        switch job.outcome {
        case .exited(let code): exitCode = Int64(code)
        case .signalled(let number): signal = Int64(number)
        case nil: break
        }
        return .object([
            "id": .text(job.id.rawValue),
            "platform": .text(job.instance.platform.rawValue),
            "instance": .text(job.instance.rawValue),
            "command": .text(job.command.shellText),
            "state": .text(job.state.rawValue),
            "exit_code": .integer(exitCode),
            "signal": .integer(signal),
            "cause": .text(job.cause),
            "started_at": .date(job.startedAt),
            "ended_at": .date(job.endedAt),
            "dollars": .number(job.dollars),
            "created_at": .date(job.createdAt),
            "connection": .text(connection?.rawValue),
            "working_directory": .text(job.record?.workingDirectory),
            "project": .text(job.workspacePath),
            "environment": .list((job.record?.environmentNames ?? []).map { .text($0) }),
            "after": .text(job.record?.predecessor?.rawValue),
            "limit_dollars": .number(job.record?.maximumCost),
            "stop_on": .text(job.record?.stopOn?.text),
            "revision": job.record?.revision.map { revision in
                .object([
                    "commit": .text(revision.commit), "dirty": .flag(revision.isDirty),
                    "patch": .text(revision.patchPath),
                ])
            } ?? .null,
            "hardware": job.record?.hardware.map { hardware in
                .object([
                    "gpu": .text(hardware.gpuName), "gpu_count": .integer(Int64(hardware.gpuCount)),
                    "dollars_per_hour": .number(hardware.dollarsPerHour),
                    "interruptible": .flag(hardware.isInterruptible), "image": .text(hardware.image),
                    "machine": .text(hardware.machineID), "location": .text(hardware.location),
                ])
            } ?? .null,
            "background": .list((job.record?.background ?? []).map(Self.backgroundProcess)),
            "driver": .text(job.record?.driver),
            "peak_memory_bytes": .integer(job.record?.peakBytes),
            "log": .object([
                "path": .text(job.logPath), "bytes": .integer(job.record?.logBytes),
                "verified": job.record?.logIsVerified.map { .flag($0) } ?? .null,
            ]),
            "results": job.record?.results.map { results in
                .object([
                    "files": .integer(Int64(results.files)), "bytes": .integer(results.bytes),
                    "conflicts": .integer(Int64(results.conflicts)),
                    "missing": .integer(Int64(results.missing)), "at": .date(results.at),
                ])
            } ?? .null,
        ])
    }

    /// `status` is the exit status as a shell has it, null while the process runs and if it is unknown.
    private static func backgroundProcess(_ process: JobRecord.BackgroundProcess) -> JSON {
        let state =
            switch process.state {
            case .running: "running"
            case .leftBehind: "left_behind"
            case .gone: "gone"
            case .ended(let status): status == nil ? "unknown" : "ended"
            }
        return .object([
            "command": .text(process.command), "status": .integer(process.status.map(Int64.init)),
            "state": .text(state), "process": .integer(Int64(process.process)),
        ])
    }

    static func sync(_ summary: SyncSummary) -> JSON {
        .object([
            "direction": .text(summary.direction.rawValue),
            "files": .integer(Int64(summary.transferredFiles)),
            "bytes": .integer(summary.transferredBytes),
            "unchanged_files": .integer(Int64(summary.unchangedFiles)),
            "deleted_files": .integer(Int64(summary.deletedFiles)),
            "conflicts": .list(summary.conflicts.map { .text($0) }),
            "removed_there": .list(summary.removedThere.map { .text($0) }),
            "removed_here": .list(summary.removedHere.map { .text($0) }),
            "missing": .list(summary.missing.map { .text($0) }),
            "changing": .list(summary.changing.map { .text($0) }),
            "later": .list(summary.later.map { .text($0) }),
            "refused": .list(summary.refused.map { .text($0) }),
            "left": .list(summary.left.map { .text($0) }),
            "seconds": .number(summary.seconds),
        ])
    }

    static func preview(_ preview: SyncPreview, showing actions: Set<SyncPreview.Change.Action>) -> JSON {
        let changes = preview.changes.filter { actions.contains($0.action) }
        return .object([
            "changes": .list(
                changes.map { change in
                    .object([
                        "action": .text(change.action.rawValue), "path": .text(change.path),
                        "bytes": .integer(change.bytes), "why": .text(change.reason.rawValue),
                    ])
                }),
            "unchanged_files": .integer(Int64(preview.unchangedFiles)),
            "not_sent": .list(
                preview.notSent.map { omission in
                    .object([
                        "path": .text(omission.path), "bytes": .integer(omission.bytes),
                        "files": .integer(Int64(omission.files)), "at_least": .flag(omission.isAtLeast),
                        "why": .text(omission.reason),
                    ])
                }),
        ])
    }

    static func explanation(_ explanation: PathExplanation) -> JSON {
        let instances = explanation.instances.sorted { $0.key.rawValue < $1.key.rawValue }
        return .object([
            "path": .text(explanation.path),
            "verdict": .text(explanation.verdict.rawValue),
            "pattern": .text(explanation.pattern),
            "from": .text(explanation.origin),
            "instances": .list(
                instances.map { id, state in
                    .object([
                        "platform": .text(id.platform.rawValue), "id": .text(id.rawValue),
                        "state": .text(state),
                    ])
                }),
        ])
    }

    static func receipt(_ receipt: DestroyReceipt) -> JSON {
        .object([
            "destroyed": .object([
                "platform": .text(receipt.instance.platform.rawValue),
                "id": .text(receipt.instance.rawValue),
                "name": .text(receipt.name),
                "dollars": .number(receipt.dollars),
                "seconds": .number(receipt.duration),
                "download": receipt.download.map(Self.sync) ?? .null,
            ])
        ])
    }

    static func diagnoses(_ findings: [Diagnosis]) -> JSON {
        .object([
            "healthy": .flag(!findings.contains { $0.verdict == .broken }),
            "checks": .list(
                findings.map { finding in
                    .object([
                        "subject": .text(finding.subject), "verdict": .text(finding.verdict.rawValue),
                        "message": .text(finding.words), "fix": .text(finding.fix),
                        "code": .text(finding.code?.rawValue),
                    ])
                }),
        ])
    }

    static func failure<Value>(_ failure: PlatformAnswers<Value>.Failure) -> JSON {
        let words = Report.words(for: failure.error)
        return .object([
            "platform": .text(failure.platform.rawValue), "message": .text(words.message),
            "code": .text(words.code),
            "advice": .text(words.advice),
        ])
    }
}
