// Package onnx reads and writes the ONNX file format. It is the only package
// that knows it: messages go straight between the wire and ir, by readers and
// writers of a few lines per message, over a file that is mapped into memory.
// The bytes of a tensor are those of the map until someone replaces them.
//
// What pare does not interpret (quantisation annotations, training graphs, device
// configurations, documentation of types, fields of versions to come) is kept in
// the Extra fields of ir in the wire form of the message it was found in, and
// written back there.
//
// # Threat model
//
// A model may come from a stranger. Reading one
//
//   - runs nothing that it contains and opens no file but its external data, which
//     must lie in the model's folder: absolute paths, "..", links that lead out of the
//     folder, and anything that is not a regular file are refused;
//   - refuses what is damaged or contradicts itself (lengths beyond the data,
//     shapes that do not fit their data or overflow, values defined twice or never,
//     cycles, too deep nesting) with one error that names file and place;
//   - takes memory in proportion to the file. The one exception, tensors stored in
//     coordinate form, which pare expands, is bounded by 64 times the file or 64 MB,
//     whichever is more;
//   - takes time in proportion to the file, times the depth of nesting, which is
//     at most 64.
//
// Not covered: a hard link in the model's folder is a file like any other; a
// mapped file that another process shortens while it is in use ends the process,
// as it does every program that maps files. Running a model is the business of
// other packages, with bounds of their own.
package onnx
