import io.github.verdict_grpc.v1.ClassifierServiceGrpc;
import io.github.verdict_grpc.v1.ClassifyRequest;
import io.grpc.ManagedChannelBuilder;
import java.util.concurrent.TimeUnit;

public class Classify {
  public static void main(String[] arguments) {
    var address = System.getenv().getOrDefault("VERDICT_ADDRESS", "127.0.0.1:50051");
    var channel = ManagedChannelBuilder.forTarget(address).usePlaintext().build();
    var classifier = ClassifierServiceGrpc.newBlockingStub(channel).withDeadlineAfter(30, TimeUnit.SECONDS);
    var request = ClassifyRequest.newBuilder().setText("a gripping film").build();
    var best = classifier.classify(request).getClassification().getPredictions(0);
    System.out.println(best.getLabel() + " " + best.getScore());
    channel.shutdown();
  }
}
