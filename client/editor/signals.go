package editor

// SignalKind is what a signal means to the one who reads lines and runs them.
type SignalKind int

const (
	SignalEnd       SignalKind = iota // SIGTERM, SIGHUP
	SignalInterrupt                   // Ctrl-C
	SignalQuit                        // Ctrl-\
	SignalResize                      // the terminal's size changed
	SignalStop                        // Ctrl-Z
	SignalContinue                    // back after a stop: the terminal's mode is lost
)
