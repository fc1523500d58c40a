package main

// notRunCode is the exit code when nothing could be run here; standard error has the reason, which
// begins with "not run:".
const notRunCode = 77
