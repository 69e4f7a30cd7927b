// swift-tools-version: 6.2

import Foundation
import PackageDescription

let features: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]
// CI sets this. A package that others build must not fail on a newer compiler's new warnings.
let strict: [SwiftSetting] =
    ProcessInfo.processInfo.environment["VP_WARNINGS_AS_ERRORS"] == nil
    ? [] : [.treatAllWarnings(as: .error)]
let settings = features + strict
/// Each folder of sources begins with a note of what it is about, which is no source.
func notes(_ folders: String...) -> [String] { ["README.md"] + folders.map { "\($0)/README.md" } }

let package = Package(
    name: "VariousPlug",
    products: [
        .executable(name: "vp", targets: ["vp"]),
        .executable(name: "vp-tui", targets: ["vp-tui"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", exact: "1.6.0"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-system", exact: "1.8.1"),
        .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
        .package(url: "https://github.com/swhitty/FlyingFox", exact: "0.27.1"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", exact: "1.0.2"),
    ],
    targets: [
        .systemLibrary(
            name: "CNcurses",
            path: "Sources/CNcurses",
            providers: [.apt(["libncurses-dev"])]
        ),
        .target(name: "CBytes", path: "Sources/CBytes", exclude: notes()),
        .target(name: "CCurl", path: "Sources/CCurl", exclude: notes()),
        // All text that runs elsewhere, of the engine and of the loopback cloud: compiled once,
        // as arrays of bytes.
        .target(
            name: "VPScripts",
            path: "Sources/VPScripts",
            exclude: notes(),
            resources: [.embedInCode("Files")],
            swiftSettings: settings
        ),
        .target(
            name: "VPEngine",
            dependencies: [
                "CBytes", "CCurl", "VPScripts",
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
                .product(name: "Yams", package: "Yams"),
            ],
            path: "Sources/VPEngine",
            exclude: notes(
                "Configuration", "Context", "Facade", "Instances", "Jobs", "Model", "Money", "Platforms",
                "Platforms/RunPod", "Platforms/Vast", "SSH", "Store", "Sync", "System", "Training"),
            swiftSettings: settings
        ),
        .target(
            name: "LoopbackCloud",
            dependencies: [
                "VPScripts",
                .product(name: "FlyingFox", package: "FlyingFox"),
            ],
            path: "Sources/LoopbackCloud",
            exclude: notes("HTTP", "RunPod", "Sandbox", "Stock", "Vast"),
            swiftSettings: settings
        ),
        .target(
            name: "VPTUICore",
            dependencies: [
                "VPEngine",
                .product(name: "DequeModule", package: "swift-collections"),
            ],
            path: "Sources/VPTUI/Core",
            exclude: notes(
                "Actions", "Input", "Lists", "Log", "Metrics", "Overlays", "Plain", "Screens", "Text",
                "Update"),
            swiftSettings: settings
        ),
        .executableTarget(
            name: "vp-tui",
            dependencies: [
                "CNcurses", "LoopbackCloud", "VPEngine", "VPTUICore",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Sources/VPTUI/App",
            exclude: notes("Effects", "Terminal"),
            swiftSettings: settings
        ),
        .executableTarget(
            name: "vp",
            dependencies: [
                "LoopbackCloud", "VPEngine",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Sources/VPCLI",
            exclude: notes(),
            swiftSettings: settings
        ),
        .target(
            name: "VPTestSupport",
            dependencies: ["LoopbackCloud"],
            path: "Tests/VPTestSupport",
            swiftSettings: settings
        ),
        .testTarget(
            name: "VPEngineTests",
            dependencies: ["CBytes", "LoopbackCloud", "VPEngine", "VPScripts", "VPTestSupport"],
            exclude: ["Training/corpus"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "VPTUICoreTests",
            dependencies: ["VPEngine", "VPTUICore", "VPTestSupport"],
            exclude: ["Goldens"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "VPTUIAppTests",
            dependencies: ["VPEngine", "VPTestSupport", "vp-tui"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "VPCLITests",
            dependencies: ["LoopbackCloud", "VPTUICore", "VPTestSupport", "vp"],
            exclude: ["Goldens"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "LoopbackCloudTests",
            dependencies: ["LoopbackCloud", "VPEngine", "VPTestSupport"],
            swiftSettings: settings
        ),
    ]
)
