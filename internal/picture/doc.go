// Package picture decodes image files to 8-bit RGB the way the common C
// libraries do (libjpeg-turbo, libwebp), so that networks see the same numbers
// as in the frameworks they come from.
//
// BMP, JPEG, PNG, TIFF, WebP and the portable formats (PBM, PGM, PPM) are known.
package picture
