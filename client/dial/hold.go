package dial

import (
	"math"
	"time"

	"minissh/client/atexit"
	"minissh/client/options"
	"minissh/protocol/mux"
)

// How long a client asks a daemon to keep its session without a link, unless ResumeFor says
// otherwise: what a person comes back to (a terminal; forwards without a command, -N), and
// the rest.
const (
	holdLong = 24 * time.Hour
	holdRest = 10 * time.Minute
)

// mostKept is how much is kept at most for sending it again, in bytes; it is allocated as needed.
const mostKept = 64 << 20

// hold is how long we ask the daemon to keep the session without a link; 0: not at all.
func (d *Dialer) hold() time.Duration {
	if d.Conn != nil { // there is no way to make another connection
		return 0
	}
	hold := d.Options.ResumeFor
	switch {
	case hold != options.ResumeDefault:
	case d.OnTerminal, d.Options.SessionType == options.SessionNone:
		hold = holdLong
	default:
		hold = holdRest
	}
	if patience := d.patience(); patience > 0 {
		hold = min(hold, 2*patience) // believed in for as long, and tried for as long
	}
	return hold
}

// patience is how long a silent link is believed in, if the user has said so; else 0.
func (d *Dialer) patience() time.Duration {
	const day, most = 24 * time.Hour, 1000 // beyond which a product could overflow
	return min(d.Options.ServerAliveInterval, day) *
		time.Duration(min(max(d.Options.ServerAliveCountMax, 1), most))
}

// wholeSeconds rounds up, as HELLO says a hold.
func wholeSeconds(d time.Duration) int64 { return int64(math.Ceil(d.Seconds())) }

// config is what a session of ours has.
func (d *Dialer) config() mux.Config {
	config := mux.Config{Role: mux.Client, Trace: d.Trace, Crashed: atexit.Run,
		LinkMost: d.linkMost}
	if d.hold() > 0 {
		config.Resend = mostKept
	}
	config.Patience = d.patience()
	config.PingAfter = min(d.Options.ServerAliveInterval, config.Patience/2)
	return config
}
