//go:build !linux

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "attack: not run: needs Linux (its namespaces, FUSE and /proc)")
	os.Exit(notRunCode)
}
