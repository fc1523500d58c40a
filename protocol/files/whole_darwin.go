package files

const utimeOmit = -2 // UTIME_OMIT of sys/stat.h
