module verdict.example/classify

go 1.26.0

require (
	github.com/verdict-grpc/verdict/clients/go v0.0.0
	google.golang.org/grpc v1.83.1
)

require (
	golang.org/x/net v0.57.0 // indirect
	golang.org/x/sys v0.47.0 // indirect
	golang.org/x/text v0.40.0 // indirect
	google.golang.org/genproto/googleapis/api v0.0.0-20261110000943-09e21b237f2c // indirect
	google.golang.org/genproto/googleapis/rpc v0.0.0-20261104224025-d1e00e9f33ab // indirect
	google.golang.org/protobuf v1.36.12 // indirect
)

replace github.com/verdict-grpc/verdict/clients/go => ../../clients/go
