//go:build !linux

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "bench: this needs Linux: it counts memory in /proc and hides "+
		"start-up files in a mount namespace")
	os.Exit(1)
}
