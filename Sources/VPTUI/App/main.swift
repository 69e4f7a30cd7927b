import ArgumentParser
import VPEngine

StandardStreams.open()
Dashboard.start()
