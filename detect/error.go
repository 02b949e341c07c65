package detect

import "fmt"

// SyntaxError says where a rule is wrong, and how. Line and Column count from
// 1, Column in characters. Its message is fit for the rule's author to read.
type SyntaxError struct {
	Line    int
	Column  int
	Message string
}

// Error gives "line 12, column 9: unknown modifier \"contain\"".
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Message)
}
