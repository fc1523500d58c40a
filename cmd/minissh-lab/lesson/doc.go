// Package lesson holds the course's lessons: predict, then run on real sockets.
//
//	lesson.go     Lesson, Question, Quiz; All lists them
//	run.go        one lesson from the question to the exercise
//	knob.go       a lesson run again with a changed value
//	program.go    the Python programs of the exercises, in python/
//	stage.go      what a lesson prints with: colours, tables, labelled bytes, the four lanes
//	net.go        real sockets for it: pairs, servers of the dialects, a slow link, a LAN
//	measure.go    what the lessons and the myths measure
//	myths.go      what people believe, each with its numbers
//	progress.go   what has been done, in XDG_STATE_HOME/minissh-lab
//	ch*.go        one lesson each, named by the chapter
//
// A lesson's Play runs on loopback and returns which of the question's options came
// true: it is measured, not looked up. Nothing relies on chance: bytes that must
// stick are read late, when the kernel says that they are all there; bytes that must
// come apart wait for the reader.
package lesson
