import Foundation
import Testing
import VPTUICore

/// Every role can be read on every surface that it stands on: contrast as WCAG 2 computes it.
@Suite struct ContrastTests {
    /// A terminal's own colours: the classic eight or sixteen, text and background.
    private struct Palette {
        var name: String
        var colours: [Int]
        var text: Int
        var background: Int
    }

    private static let xterm = [
        0x000000, 0xCD0000, 0x00CD00, 0xCDCD00, 0x0000EE, 0xCD00CD, 0x00CDCD, 0xE5E5E5, 0x7F7F7F, 0xFF0000,
        0x00FF00, 0xFFFF00, 0x5C5CFF, 0xFF00FF, 0x00FFFF, 0xFFFFFF,
    ]
    private static let console = [
        0x000000, 0xAA0000, 0x00AA00, 0xAA5500, 0x0000AA, 0xAA00AA, 0x00AAAA, 0xAAAAAA, 0x555555, 0xFF5555,
        0x55FF55, 0xFFFF55, 0x5555FF, 0xFF55FF, 0x55FFFF, 0xFFFFFF,
    ]
    private static let solarized = [
        0x073642, 0xDC322F, 0x859900, 0xB58900, 0x268BD2, 0xD33682, 0x2AA198, 0xEEE8D5, 0x002B36, 0xCB4B16,
        0x586E75, 0x657B83, 0x839496, 0x6C71C4, 0x93A1A1, 0xFDF6E3,
    ]
    private static let dark = [
        Palette(name: "xterm", colours: xterm, text: 0xE5E5E5, background: 0x000000),
        Palette(name: "Linux console", colours: console, text: 0xAAAAAA, background: 0x000000),
        Palette(name: "Solarized dark", colours: solarized, text: 0x839496, background: 0x002B36),
    ]
    /// Solarized's own text on its light background has 4.1: no theme can be better than what it is given.
    private static let light = [
        Palette(name: "xterm", colours: xterm, text: 0x000000, background: 0xFFFFFF),
        Palette(name: "Solarized light", colours: solarized, text: 0x586E75, background: 0xFDF6E3),
    ]

    /// What a job's output asks for stands on the log's background alone; borders also on dialogs,
    /// and never on a row.
    private static func surfaces(of role: Role) -> [Surface] {
        if role.rawValue >= Role.black.rawValue { return [.base, .match] }
        switch role {
        case .border, .borderFocused, .barEmpty, .barFilled: return [.base, .dialog]
        default: return Surface.allCases
        }
    }

    private static func least(_ role: Role) -> Double {
        switch role {
        case .border, .borderFocused, .barEmpty, .barFilled: 3
        default: 4.5
        }
    }

    private static func luminance(_ colour: Int) -> Double {
        func linear(_ shift: Int) -> Double {
            let value = Double(colour >> shift & 0xFF) / 255
            return value <= 0.03928 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4)
        }
        return 0.2126 * linear(16) + 0.7152 * linear(8) + 0.0722 * linear(0)
    }

    private static func contrast(_ one: Int, _ other: Int) -> Double {
        let (first, second) = (Self.luminance(one), Self.luminance(other))
        return (max(first, second) + 0.05) / (min(first, second) + 0.05)
    }

    /// Of xterm's 256.
    private static func colour(_ index: Int) -> Int {
        if index < 16 { return Self.xterm[index] }
        if index >= 232 {
            let grey = 8 + (index - 232) * 10
            return grey << 16 | grey << 8 | grey
        }
        let steps = [0, 95, 135, 175, 215, 255]
        let cube = index - 16
        return steps[cube / 36] << 16 | steps[cube / 6 % 6] << 8 | steps[cube % 6]
    }

    @Test(arguments: [Theme.Depth.many, .direct])
    func everyRoleCanBeReadInManyColours(depth: Theme.Depth) {
        for theme in Theme.builtIn {
            let theme = theme.with(depth: depth)
            // What terminals come with, and the backgrounds that editors have made usual.
            let terminals =
                theme.isLight
                ? [(0x000000, 0xFFFFFF), (0x1F1F1F, 0xFAFAFA), (0x586E75, 0xFDF6E3)]
                : [(0xE5E5E5, 0x000000), (0xD4D4D4, 0x1E1E1E), (0xABB2BF, 0x282C34), (0x93A1A1, 0x002B36)]
            for role in Role.allCases {
                for surface in Self.surfaces(of: role) {
                    let paint = theme.paint(Style(role, on: surface))
                    for (text, background) in terminals {
                        func number(_ value: Int, _ own: Int) -> Int {
                            value < 0 ? own : depth == .many ? Self.colour(value) : value
                        }
                        let contrast = Self.contrast(
                            number(paint.foreground, text), number(paint.background, background))
                        #expect(
                            contrast >= Self.least(role),
                            "\(theme.name) \(role) on \(surface) of \(String(background, radix: 16)): \(contrast)"
                        )
                    }
                }
            }
        }
    }

    @Test(arguments: [Theme.Depth.mono, .eight, .sixteen])
    func everyRoleCanBeReadInFewColours(depth: Theme.Depth) {
        for theme in Theme.builtIn {
            let theme = theme.with(depth: depth)
            for palette in theme.isLight ? Self.light : Self.dark {
                // Those that a job asks for are what the user's palette says they are.
                for role in Role.allCases where role.rawValue < Role.black.rawValue {
                    for surface in Self.surfaces(of: role) {
                        let paint = theme.paint(Style(role, on: surface))
                        var pair = [
                            paint.foreground < 0 ? palette.text : palette.colours[paint.foreground],
                            paint.background < 0 ? palette.background : palette.colours[paint.background],
                        ]
                        if paint.attributes.contains(.reverse) { pair.reverse() }
                        #expect(!paint.attributes.contains(.dim), "\(theme.name) \(role) on \(surface)")
                        let contrast = Self.contrast(pair[0], pair[1])
                        #expect(
                            contrast >= Self.least(role),
                            "\(palette.name) \(theme.name) \(role) on \(surface), \(depth): \(contrast)")
                    }
                }
            }
        }
    }
}
