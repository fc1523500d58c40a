package conform

import "os"

// probeSignal cannot be delivered on Windows: whether a process is there is not asked here.
var probeSignal = os.Interrupt
