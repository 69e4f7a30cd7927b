print("vp")
