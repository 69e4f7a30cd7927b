print("vp-tui")
