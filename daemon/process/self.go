package process

import (
	"fmt"
	"os"

	"minissh/daemon/process/stage"
)

// helperMark is the first argument of this program when it is a helper. Typed by hand it does what
// the caller could do anyway: nothing here is set-uid.
const helperMark = "--minissh-helper"

// helpers are what this program can be started again for, by verb. Helper fills it before main.
var helpers = map[string]func(args []string) (code int){}

// Helper registers what this program does when StartSelf starts it with a verb; run's result is the
// exit code. It is called while packages are initialized, and run is then the whole program: its
// standard streams are the pipes that StartSelf returned. run must end when its standard input
// ends, since that is how it learns that the daemon is gone.
func Helper(verb string, run func(args []string) (code int)) {
	if helpers[verb] != nil {
		panic("process: two helpers are called " + verb)
	}
	helpers[verb] = run
}

// BeHelper ends the program as a helper if it was started as one, and else does nothing. Every main
// and every TestMain with a daemon calls it first.
func BeHelper() {
	inside, err := stage.BeConfined()
	if err != nil {
		fmt.Fprintf(os.Stderr, "it cannot be confined: %v\n", err)
		os.Exit(2)
	}
	confined = inside
	if len(os.Args) < 3 || os.Args[1] != helperMark {
		return
	}
	run := helpers[os.Args[2]]
	if run == nil {
		fmt.Fprintf(os.Stderr, "no helper is called %q\n", os.Args[2])
		os.Exit(2)
	}
	os.Exit(run(os.Args[3:]))
}

// confined says that this helper's account is confined to a part of the file system.
var confined bool

// HomeInside is where a helper's relative paths begin: its account's home, or / where the account
// is confined and has no home inside.
func HomeInside(home string) string {
	if confined && !usableDir(home) {
		return rootDir
	}
	return home
}

// StartSelf starts this program again as a helper that acts for an account, with that account's
// user id, group id and supplementary groups (RULES A7): files, sockets and the like of a user are
// touched with the user's own rights and no others. Without a Credential it is the daemon's own.
//
// The helper has the account's environment as Environment makes it, starts in the root directory,
// leads a kernel session of its own, and inherits no descriptors except its three pipes: the caller
// reads both outputs to their end, or closes them. Errors are *StartError. The caller must Close
// the Process; Stop ends a helper that does not end by itself.
//
// The account's other processes may signal a helper and, if the kernel lets them, look into it or
// change what it says: treat its answers as the user's own words.
func StartSelf(acct Account, verb string, args ...string) (*Process, error) {
	spec, err := selfSpec(acct, verb, args...)
	if err != nil {
		return nil, err
	}
	return Start(spec)
}

// StartLasting is StartSelf for a helper that may outlive the client's session: if the account has
// an Origin, that stays as long as the helper.
func StartLasting(acct Account, verb string) (*Process, error) {
	spec, err := selfSpec(acct, verb)
	if err != nil {
		return nil, err
	}
	spec.lasts = true
	return Start(spec)
}

func selfSpec(acct Account, verb string, args ...string) (Spec, error) {
	self, err := selfPath()
	if err != nil {
		return Spec{}, &StartError{"start", "the daemon's own program", err}
	}
	return Spec{
		Path: self, Args: append([]string{os.Args[0], helperMark, verb}, args...),
		Env: Environment(acct), Dir: rootDir, Credential: acct.Credential, own: true,
	}, nil
}
