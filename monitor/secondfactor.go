package monitor

// SecondFactor is what a user's one-time passwords are checked with.
type SecondFactor struct {
	Sealed    []byte // the secret, encrypted
	Confirmed bool   // a code has shown that the user has it
	LastStep  int64  // the newest time step (of 30 s since 1970) whose code was taken
}

// SealedSecret is a secret as it is kept, and whose it is.
type SealedSecret struct {
	User   ID
	Sealed []byte
}
