//go:build !linux

package dial

// watchNetwork would call changed when this machine's addresses have changed. Here nobody tells us:
// the timers of the link remain.
func watchNetwork(done <-chan struct{}, changed func()) {}
