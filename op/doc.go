// Package op is the table of operators: names and arities, schema versions,
// shape rules and slow, obvious reference evaluations. One operator (or one
// family that differs in a function) per file, one row per operator in Table.
//
// Run interprets a whole graph by the references; engines are tested against
// it. Infer fills in types and shapes. Raise rewrites a node to a newer schema.
package op
