package protocol

// Job is what an OPEN of the service "job" asks for (JO1).
type Job struct {
	Do   string `json:"do"`             // one of the Job constants
	Name string `json:"name,omitempty"` // start, adopt: what to call it; else a job's id or name
	New  bool   `json:"new,omitempty"`  // attach: output from now on
	// attach: what draws the screen of a terminal as it is, then new output
	Screen bool `json:"screen,omitempty"`
	// with Screen: the size of the opener's terminal; 0: as it is
	Rows  int64 `json:"rows,omitempty"`
	Cols  int64 `json:"cols,omitempty"`
	Share bool  `json:"share,omitempty"` // attach: beside others
	Watch bool  `json:"watch,omitempty"` // attach: the same, without typing
	// start, adopt: bytes of output to keep; 0: the daemon's choice
	Spool int64 `json:"spool,omitempty"`
	Wait  bool  `json:"wait,omitempty"` // start, adopt: the job waits when the spool is full
	// adopt: the channel of what becomes a job
	Channel int64 `json:"channel,omitempty"`
}

// The values of Job.Do.
const (
	JobStart  = "start"
	JobList   = "list"
	JobAttach = "attach"
	JobStop   = "stop"
	JobRemove = "remove"
	JobAdopt  = "adopt"
)

// MaxJobName is the longest name of a job, in bytes (JO1).
const MaxJobName = 64

// ValidJobName says whether a job may be called so (JO1).
func ValidJobName(name string) bool {
	for i, c := range []byte(name) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && (i == 0 || c != '.' && c != '_' && c != '-') {
			return false
		}
	}
	return name != "" && len(name) <= MaxJobName
}

// CheckJob finds what is wrong with a request of the service job (JO1, EX1); the error is a
// *Violation with CodeBadRequest.
func (o *Open) CheckJob() error {
	j := o.Job
	if j == nil {
		return Violate(CodeBadRequest, "job must be given")
	}
	starts := j.Do == JobStart || j.Do == JobAdopt
	switch j.Do {
	case JobStart, JobList, JobAttach, JobStop, JobRemove, JobAdopt:
	default:
		return Violate(CodeBadRequest, "do is not start, list, attach, stop, remove or adopt")
	}
	switch {
	case j.Name == "" && !starts && j.Do != JobList:
		return Violate(CodeBadRequest, "%s needs name: a job's name or id", j.Do)
	case j.Name != "" && (j.Do == JobList || !ValidJobName(j.Name)):
		return Violate(CodeBadRequest, "name is not 1 to %d letters, digits, dots, underscores "+
			"and hyphens that begin with a letter or digit", MaxJobName)
	case (j.New || j.Screen || j.Rows != 0 || j.Cols != 0 || j.Share || j.Watch) &&
		j.Do != JobAttach,
		(j.Spool != 0 || j.Wait) && !starts:
		return Violate(CodeBadRequest, "%s has a field of another request", j.Do)
	case !(Size{Rows: j.Rows, Cols: j.Cols}).Valid():
		return Violate(CodeBadRequest, "rows or cols is out of range")
	case (j.Channel > 0) != (j.Do == JobAdopt):
		return Violate(CodeBadRequest, "adopt, and it alone, needs a channel")
	case j.Spool < 0:
		return Violate(CodeBadRequest, "spool is below 0")
	case starts && (o.ReportDir || len(o.OldDir) > 0 || o.Agent != 0):
		return Violate(CodeBadRequest, "a job has no report_dir, old_dir or agent")
	case j.Do == JobStart:
		return o.CheckExec()
	}
	return nil
}

// JobRecord is a job, as every answer but that to `attach` tells it (JO3).
type JobRecord struct {
	ID       string `json:"id"`
	Name     string `json:"name,omitempty"`
	State    string `json:"state"`             // one of the JobState constants
	Command  Bytes  `json:"command,omitempty"` // in words, at most MaxJobCommand bytes; "": a shell
	PID      int    `json:"pid,omitempty"`
	PTY      bool   `json:"pty,omitempty"`
	Began    int64  `json:"began_ms"`           // milliseconds since 1970 began
	Ended    int64  `json:"ended_ms,omitempty"` // 0: not yet, or not known
	Stdout   int64  `json:"stdout"`             // bytes in the spool
	Stderr   int64  `json:"stderr"`
	Dropped  int64  `json:"dropped,omitempty"` // bytes of output that it did not take
	Attached int    `json:"attached,omitempty"`
	Exit     *Exit  `json:"exit,omitempty"` // how it ended
}

// MaxJobScreen is the most output of a terminal that the opener of `adopt` sends, in bytes (JO10).
const MaxJobScreen = 4 << 20

// MaxJobCommand is how much of its command a job's record has, in bytes (JO3).
const MaxJobCommand = 1024

// The states of JO3.
const (
	JobRunning = "running"
	JobEnded   = "ended"
	JobLost    = "lost"           // its keeper was killed
	JobReboot  = "lost_at_reboot" // the machine was restarted
	JobHeld    = "held"           // of a session that waits for its client (JO11)
)
