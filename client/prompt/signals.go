package prompt

// signalKind is what a signal means to the loop.
type signalKind int

const (
	signalEnd       signalKind = iota // SIGTERM, SIGHUP
	signalInterrupt                   // Ctrl-C
	signalQuit                        // Ctrl-\
	signalResize                      // the terminal's size changed
	signalStop                        // Ctrl-Z
	signalContinue                    // back after a stop: the terminal's mode is lost
)
