// Classifies the lines of standard input over one stream: one goroutine writes, another one reads.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"

	verdict "github.com/verdict-grpc/verdict/clients/go/verdict/v1"
)

func main() {
	log.SetFlags(0)
	address := os.Getenv("VERDICT_ADDRESS")
	if address == "" {
		address = "127.0.0.1:50051"
	}
	if err := classify(address, os.Stdin, os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func classify(address string, in io.Reader, out io.Writer) error {
	connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	stream, err := verdict.NewClassifierServiceClient(connection).ClassifyStream(ctx)
	if err != nil {
		return err
	}

	sent := make(chan error, 1)
	go func() { sent <- sendLines(stream, in) }()

	for {
		result, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return <-sent
		}
		if err != nil {
			return err
		}
		if failure := result.GetError(); failure != nil {
			fmt.Fprintf(out, "%s\t-\t%s\n", codes.Code(failure.Code), result.Id)
			continue
		}
		best := result.GetClassification().Predictions[0]
		fmt.Fprintf(out, "%s\t%.3f\t%s\n", best.Label, best.Score, result.Id)
	}
}

// sendLines is the only writer of the stream. Send waits while the server reads no more.
func sendLines(stream verdict.ClassifierService_ClassifyStreamClient, in io.Reader) error {
	lines := bufio.NewScanner(in)
	for n := 1; lines.Scan(); n++ {
		request := &verdict.ClassifyStreamRequest{
			Id:    fmt.Sprintf("line %d", n),
			Input: &verdict.ClassifyStreamRequest_Text{Text: lines.Text()},
		}
		// After io.EOF the reader gets the reason.
		if err := stream.Send(request); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
	return errors.Join(lines.Err(), stream.CloseSend())
}
