// Package paper makes pages to print: one side of A4 for each lesson, and a cheat sheet.
//
//	paper.go       Lesson, Cheatsheet, All: a page as HTML that needs nothing else
//	picture.go     the bytes of a lesson's first messages, labelled
//	cheatsheet.go  what is on the cheat sheet
//	page.html      the template
//
// A lesson's page asks and does not answer: predictions have boxes to tick, the lanes are there to
// be drawn. The browser's "print" makes the paper, or the PDF.
package paper
