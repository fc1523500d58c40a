package process

import "os"

// output is our end of a pipe that the command writes to.
type output struct{ *os.File }

func newOutput(f *os.File) output { return output{f} }

// Loud changes nothing here.
func (output) Loud() {}

// input is our end of a pipe that the command reads from.
type input struct{ *os.File }

// Loud changes nothing here.
func (input) Loud() {}
