package service

// jobs: there are none here, since nothing outlives the daemon.
func jobs(*running) []Service { return nil }
