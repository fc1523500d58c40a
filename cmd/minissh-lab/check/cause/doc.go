// Package cause says which bug a student's program shows, from evidence alone: the bytes that it
// sent (message.go), what it printed (printed.go), the error that it died of (traceback.go). What
// the evidence does not prove gets no name here: nil means "I do not know".
//
//	belief.go      the misconceptions, each with the truth and what to change
//	beyond.go      those of the lessons beyond the course
//	message.go     bytes that came, beside the message that should have come
//	printed.go     text that was printed, beside the text that was sent
//	traceback.go   Python's error output: which line of the student's, and was it meant?
//
// Nothing here waits, reads a clock or opens anything.
package cause
