package main

import "github.com/urfave/cli/v2"

// verbs lists the program's verbs, one line each; each lives in a file of its own.
func verbs() []*cli.Command {
	return []*cli.Command{
		serveCommand(),
		connectCommand(),
		lessonCommand(),
		checkCommand(),
		classCommand(),
		voteCommand(),
		webCommand(),
		recordCommand(),
		conformCommand(),
	}
}
