package detect

// Bystanders is for the tests from outside.
var Bystanders = bystanders
