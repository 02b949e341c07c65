package app

// Version is the release; the build sets it with -ldflags -X.
var Version = "dev"
