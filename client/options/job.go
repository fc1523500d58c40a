package options

import (
	"math"
	"strconv"
	"strings"

	"minissh/protocol"
)

// What minissh's own flags about jobs and outcomes ask for, and what does not go with them.

// setJobName is --name.
func (p *commandLine) setJobName(arg string) error {
	if !protocol.ValidJobName(arg) {
		return usage("minissh --detach --name build-2 host command", "--name: %s is not 1 to %d "+
			"letters, digits, dots, underscores and hyphens that begin with a letter or digit",
			shown(arg), protocol.MaxJobName)
	}
	p.o.JobName = arg
	return nil
}

// setSpool is --spool: bytes, or with K, M, G or T so many times 1,024 of them.
func (p *commandLine) setSpool(arg string) error {
	digits := strings.TrimRight(arg, "KMGTkmgt")
	n, err := strconv.ParseInt(digits, 10, 64)
	shift := 0
	if unit := strings.ToUpper(arg[len(digits):]); len(unit) == 1 {
		shift = 10 * (1 + strings.Index("KMGT", unit))
	} else if unit != "" {
		err = strconv.ErrSyntax
	}
	if err != nil || n < 1 || n > math.MaxInt64>>shift {
		return usage("minissh --detach --spool 10G host command", "--spool: %s is not a size, "+
			"such as 500M or 10G", shown(arg))
	}
	p.o.Spool = n << shift
	return nil
}

// setOutcome is --outcome.
func (p *commandLine) setOutcome(arg string) error {
	path, err := p.env.expandHome(arg)
	if err == nil && path != "" {
		p.o.Outcome = path
		return nil
	}
	if err != nil {
		return usage("minissh --outcome FILE host command", "--outcome: %v", err)
	}
	return usage("minissh --outcome FILE host command", "--outcome needs the name of a file")
}

// unfit is an option that makes no sense for a job, and why.
type unfit struct{ name, why string }

// noteUnfit notes which options of the command line make no sense for a job. The configuration has
// not been read yet.
func (p *commandLine) noteUnfit() {
	o := p.o
	on := func(value string) bool { return value != "" && !oneOf(value, "no", "none", "false") }
	const noConnection = "no connection stays here for it"
	for _, option := range []struct {
		given     bool
		name, why string
	}{
		{len(o.LocalForwards) > 0, "-L", noConnection},
		{len(o.RemoteForwards) > 0, "-R", noConnection},
		{len(o.DynamicForwards) > 0, "-D", noConnection},
		{o.StdioForward != nil, "-W", noConnection},
		{o.StdioForward == nil && o.SessionType == SessionNone, "-N", "it runs nothing"},
		{o.SessionType == SessionSubsystem, "-s", "a subsystem talks to its client"},
		{o.ForkAfterAuthentication, "-f", "a job goes on by itself"},
		{on(o.forwardAgent), "-A", "your agent is not here for a job that goes on without you"},
		{on(o.controlMaster), "-M", noConnection},
		{on(o.ControlPath), "-S", noConnection},
		{o.Control != "", "-O", "it asks the process that owns a ControlPath"},
	} {
		if option.given {
			o.unfit = append(o.unfit, unfit{option.name, option.why})
		}
	}
}

// checkJob refuses what does not go with --detach, --name, --spool, --spool-wait and --outcome.
// What the configuration says for each connection, and a job has not, is told.
func (p *parser) checkJob() error {
	o := p.o
	if !o.Detach {
		switch {
		case o.JobName != "":
			return usage("minissh --detach --name "+o.JobName+" host command",
				"--name is for a job: it needs --detach")
		case o.SpoolWait:
			return usage("minissh --detach --spool-wait host command",
				"--spool-wait is for a job: it needs --detach")
		case o.Spool != 0:
			return usage("minissh --detach --spool 10G host command",
				"--spool is for a job: it needs --detach")
		case o.Outcome != "" && o.SessionType == SessionNone:
			return usage("leave out one of them",
				"--outcome tells of a command, and -N and -W run none")
		case o.Outcome != "" && o.Control != "":
			return usage("leave out one of them", "--outcome tells of a command, and -O runs none")
		}
		return nil
	}
	switch {
	case len(o.unfit) > 0:
		return usage("leave out one of them", "%s does not go together with --detach: %s",
			o.unfit[0].name, o.unfit[0].why)
	case o.SessionType != SessionDefault:
		return usage("-o SessionType=default goes on without it",
			"SessionType %s, in the configuration, does not go together with --detach",
			o.SessionType)
	case o.Outcome != "":
		return usage("minissh job collect --outcome FILE host JOB",
			"--outcome does not go together with --detach: the command has not ended yet")
	case o.CommandLine() == "" && o.RequestTTY != TTYYes && o.RequestTTY != TTYForce:
		return usage("minissh --detach host command, or for a shell minissh --detach -t host",
			"--detach needs a command, or -t")
	}
	p.withoutCompany()
	return nil
}

// withoutCompany takes out what the configuration wants beside a command: nobody stays here that
// could serve it.
func (p *parser) withoutCompany() {
	o := p.o
	var names []string
	for _, option := range []struct {
		is   bool
		name string
	}{
		{len(o.LocalForwards) > 0, "LocalForward"}, {len(o.RemoteForwards) > 0, "RemoteForward"},
		{len(o.DynamicForwards) > 0, "DynamicForward"}, {o.LentAgent != "", "ForwardAgent"},
		{o.IsMaster(), "ControlMaster"},
	} {
		if option.is {
			names = append(names, option.name)
		}
	}
	if len(names) > 0 {
		o.Notes = append(o.Notes, "without effect for a job: "+strings.Join(names, ", ")+
			" of the configuration")
	}
	o.LocalForwards, o.RemoteForwards, o.DynamicForwards = nil, nil, nil
	o.LentAgent, o.controlMaster, o.ForkAfterAuthentication = "", "", false
}

// JobVerbOptions are for a verb about jobs, before the words that were typed: the configuration may
// want more for each connection, and that is neither used nor reported, as by scp.
var JobVerbOptions = []string{"-oClearAllForwardings=yes", "-oPermitLocalCommand=no",
	"-oRemoteCommand=none", "-oSessionType=default", "-oForwardAgent=no", "-oControlMaster=no",
	"-oForkAfterAuthentication=no"}

// RefuseDetach refuses --detach and --outcome for a verb that runs no single command.
func (o *Options) RefuseDetach(verb string) error {
	for name, given := range map[string]bool{"--detach": o.Detach, "--outcome": o.Outcome != ""} {
		if given {
			return usage("minissh "+name+" … host command",
				"%s does not go together with minissh %s: it is for one command", name, verb)
		}
	}
	return nil
}

// RefuseForVerb refuses what was given on the command line and makes no sense for a verb about
// jobs. ends says that the verb tells a command's end.
func (o *Options) RefuseForVerb(verb string, ends bool) error {
	for _, option := range []struct {
		given     bool
		name, why string
	}{
		{o.Detach, "--detach", "it starts a job"},
		{o.JobName != "", "--name", "it is for --detach; the job's name follows the host"},
		{o.SpoolWait, "--spool-wait", "it is for --detach"},
		{o.Spool != 0, "--spool", "it is for --detach"},
		{o.Timeout != 0, "--timeout", "it is set when the job is started"},
		{o.Exec, "--exec", "it is for --detach"},
		{o.Outcome != "" && !ends, "--outcome", "it is for attach and collect"},
	} {
		if option.given {
			o.unfit = append(o.unfit, unfit{option.name, option.why})
		}
	}
	if len(o.unfit) == 0 {
		return nil
	}
	return usage("leave it out", "%s does not go together with minissh job %s: %s",
		o.unfit[0].name, verb, o.unfit[0].why)
}

// RefuseOn refuses what was given on the command line and makes no sense for many hosts at once.
func (o *Options) RefuseOn() error {
	for _, option := range []struct {
		given     bool
		name, why string
	}{
		{o.Detach, "--detach", "it tells one job's id"},
		{o.Outcome != "", "--outcome", "it is one command's; --json and --dir tell of all"},
		{o.RequestTTY == TTYYes || o.RequestTTY == TTYForce, "-t", "there is one terminal here"},
		{o.PrintConfig, "-G", "it is about one host"},
		{len(o.unfit) > 0, "", "it is for one connection"},
	} {
		if option.given {
			if option.name == "" {
				option.name = o.unfit[0].name
			}
			return usage("leave it out", "%s does not go together with many hosts: %s",
				option.name, option.why)
		}
	}
	return nil
}
