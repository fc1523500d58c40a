//go:build !unix

package main

import "minissh/client/report"

func goToBackground([]string) (int, error) {
	return report.ExitFailure, &report.Failure{What: "-f is not there on this system",
		Advice: "start minissh -n host command in the background"}
}

func inBackground() {}

func silence() {}
