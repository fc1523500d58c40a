// Command soaking is scripts/soak: links are cut at random moments, in each way that networks have,
// while work goes on over them, and nothing may be lost, come twice, or run twice.
//
// The nouns:
//
//   - A run (run.go) has one daemon (host.go) and a number of jobs, several at once, until so many
//     cuts are made or its time is over. Its seed decides all that is random.
//   - A job (job.go) is one piece of work through a relay of its own (scripts/wire). The seed and
//     the job's number decide what it is and how its links fare (fate.go), so that `--only` tries
//     one again.
//   - Work (work.go, command.go, keys.go, copy.go, prompt.go) is what the real client does in a
//     job, and what must come of it: each stream as it was computed, each command started once, the
//     exit code, equal trees.
//   - The other side (remote.go) is what commands run: this program again, which appends its start
//     and its end to a file.
//   - Streams (stream.go) are bytes that both sides can compute.
//   - The report (report.go) tells for each way how many cuts there were, and how long the client
//     took to come back.
//
// When all jobs have ended, the daemon's descriptors and memory must be back, and no process may be
// left.
//
// When a first link is cut before the login was through, there is nothing to resume yet: the client
// may say that it failed, with 255. Then the command has started or not, once at most.
package main
