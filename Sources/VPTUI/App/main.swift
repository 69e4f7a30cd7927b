import ArgumentParser

Dashboard.main()
