// Package class is a teacher's board: students' checks report name, lesson and
// result to it, one line of JSON each, and the class votes on predictions.
//
//	student -> board   {"class": 1, "name": "小明", "lesson": "16", "side": "client",
//	                    "passed": 7, "failed": 1, "case": "chaos", "id": "9f3c…"}
//	board -> student   ok
//	student -> board   {"class": 1, "ask": true}
//	board -> student   vote 12             (or: no: there is no vote)
//	student -> board   {"class": 1, "lesson": "12", "vote": 2, "id": "9f3c…"}
//	board -> student   ok
//
//	board.go    Board: the results, and what most stick on
//	student.go  who is who: names, ids, and what one machine may bring along
//	vote.go     Question, Poll: the hands
//	serve.go    the lines above, and the students' page, on one port
//	guard.go    connections: how many, from whom, how long
//	page.go     the page for the projector, for the teacher's machine alone
//	phones.go   the students' page, which the QR code leads to
//	qr.go       the QR code, for a page and for a terminal
//
// # What holds
//
//  1. It keeps nothing else, and nothing on disk. Whoever reaches the port can report under any
//     name: it is a classroom's board, not an examination.
//  2. Everything is bounded: names, students, votes, connections, bytes, time. What one address
//     may bring is bounded below that (Limits.PerAddress), so that nobody crowds out a class. The
//     board's own machine is excepted.
//  3. A student is a name and an id. The id is a random number that the student's program keeps, so
//     the same name from two machines is two students, and neither can replace the other's results.
//     A line without an id has its address for one.
//  4. Names are made harmless before they are kept: letters, digits and a few marks.
//  5. A vote is the id's, and has no name. A later one replaces it. What is right is on no page and
//     in no answer before the teacher shows it.
//  6. The students' page takes a vote and nothing else. It answers to an address, not to a name, so
//     that no other page reads it through a browser (DNS rebinding); a vote that another page sends
//     is refused. What the teacher can do is at the projector's page alone.
package class
