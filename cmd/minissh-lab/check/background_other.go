//go:build !linux

package check

import "context"

// marked are not found here.
func marked(string) []int { return nil }

func endMarked(context.Context, string) {}
