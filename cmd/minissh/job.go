package main

import (
	"context"
	"fmt"
	"os"
	"slices"

	"minissh/client/completion"
	"minissh/client/job"
	"minissh/client/options"
	"minissh/client/report"
	"minissh/client/run"
	"minissh/protocol"
)

// jobVerbs are what can be done to jobs, in the order in which help shows them.
var jobVerbs = []completion.Flag{
	{Name: "attach", Usage: "go back to a job; its exit code is ours"},
	{Name: "collect", Usage: "take its output from the beginning, and wait for its end"},
	{Name: "list", Usage: "the jobs of one host or several"},
	{Name: "stop", Usage: "end a job, and wait until it has ended"},
	{Name: "remove", Usage: "remove a job that has ended, with its output"},
}

// jobFlags are the verb's own flags, and which of jobVerbs take them.
var jobFlags = map[string][]string{"--new": {"attach"}, "--share": {"attach"},
	"--watch": {"attach"}, "--json": {"list"}}

// jobs is `minissh job VERB [options] [user@]host [JOB]`.
func jobs(words []string) error {
	if len(words) == 0 {
		return jobMisused("minissh job needs to know what to do")
	}
	name := words[0]
	if name == helpFlag {
		return errHelp
	}
	if !slices.ContainsFunc(jobVerbs, func(f completion.Flag) bool { return f.Name == name }) {
		for _, f := range jobVerbs {
			if report.Slip(name, f.Name) {
				return &report.Failure{What: fmt.Sprintf("minissh job cannot %s",
					protocol.Quote(name)), Advice: "did you mean minissh job " + f.Name + "?"}
			}
		}
		return &report.Failure{What: fmt.Sprintf("minissh job cannot %s", protocol.Quote(name)),
			Advice: "minissh job --help shows what it can do; minissh -- job … is a host of that " +
				"name"}
	}
	own := map[string]bool{}
	words = slices.DeleteFunc(slices.Clone(words[1:]), func(word string) bool {
		_, is := jobFlags[word]
		own[word] = is || own[word]
		return is
	})
	for flag, verbs := range jobFlags {
		if own[flag] && !slices.Contains(verbs, name) {
			return jobMisused("minissh job %s takes no %s", name, flag)
		}
	}
	o, err := jobOptions(name, words)
	if err != nil {
		return err
	}
	if name == "list" {
		return listJobs(words, o, own["--json"])
	}
	return oneJob(name, o, own)
}

func jobMisused(format string, args ...any) error {
	return &report.Failure{What: fmt.Sprintf(format, args...),
		Advice: "minissh job --help shows what it can do"}
}

// jobOptions reads ssh's options and the host.
func jobOptions(name string, words []string) (*options.Options, error) {
	o, err := parse(slices.Concat(options.JobVerbOptions, words))
	if err != nil {
		return nil, err
	}
	if err := o.RefuseForVerb(name, name == "attach" || name == "collect"); err != nil {
		return nil, notRun(err, o.Outcome)
	}
	return o, nil
}

// listJobs lists the jobs of each host.
func listJobs(words []string, o *options.Options, asJSON bool) error {
	hosts := append([]string{""}, o.Command...) // the first is among the options
	words, at := words[:len(words)-len(o.Command)], o.HostAt-len(options.JobVerbOptions)
	failed := 0
	for i, host := range hosts {
		if i > 0 {
			others := slices.Clone(words)
			others[at] = host
			var err error
			if o, err = jobOptions("list", others); err != nil {
				report.Error(messages, err)
				failed++
				continue
			}
		}
		switch code := job.List(context.Background(), dialer(o), os.Stdout, asJSON,
			len(hosts) > 1); code {
		case 0:
		case report.ExitFailure:
			failed++
		default: // a signal: it is meant for all
			return exitCode(code)
		}
	}
	if failed > 0 {
		return exitCode(report.ExitFailure)
	}
	return nil
}

// oneJob does something to one job of a host.
func oneJob(name string, o *options.Options, own map[string]bool) error {
	which, ctx := "", context.Background()
	switch {
	case len(o.Command) > 1:
		return notRun(jobMisused("minissh job %s takes one job, and %s is left over", name,
			protocol.Quote(o.Command[1])), o.Outcome)
	case len(o.Command) == 1:
		which = o.Command[0]
	}
	d := dialer(o)
	switch {
	case which != "" && !protocol.ValidJobName(which):
		return notRun(&report.Failure{What: fmt.Sprintf("%s is not the name of a job, nor its id",
			protocol.Quote(which)), Advice: "minissh job list " + report.Target(o) +
			" lists them"}, o.Outcome)
	case which == "" && name != "attach":
		return notRun(&report.Failure{What: "minissh job " + name + " needs a job's name or id",
			Advice: "minissh job list " + report.Target(o) + " lists them"}, o.Outcome)
	case name == "stop":
		return exitCode(job.Stop(ctx, d, which, os.Stdout))
	case name == "remove":
		return exitCode(job.Remove(ctx, d, which, os.Stdout))
	}
	return recorded(d, func(s run.Streams) int {
		return job.Attach(ctx, d, job.Attachment{Job: which, New: own["--new"],
			Share: own["--share"], Watch: own["--watch"], Collect: name == "collect"}, s)
	})
}
