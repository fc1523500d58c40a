//go:build !unix

package main

import "minissh/client/report"

func goToBackground([]string) (int, error) {
	return report.ExitFailure, &report.Failure{What: "this system has no -f",
		Advice: "start minissh -n host command in the background"}
}

func inBackground() {}

func silence() {}
