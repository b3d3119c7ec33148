module pare

go 1.26.0

require (
	golang.org/x/image v0.47.0
	golang.org/x/sync v0.24.0
)

require golang.org/x/sys v0.49.0

require github.com/goccy/go-yaml v1.19.2

require (
	github.com/edsrzf/mmap-go v1.2.0 // indirect
	google.golang.org/protobuf v1.36.12 // indirect
)
