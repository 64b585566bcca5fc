use std::{env, time::Duration};

use contract::verdict::v1::{
    classifier_service_client::ClassifierServiceClient, classify_request::Input, ClassifyRequest,
};

mod contract {
    include!(concat!(env!("OUT_DIR"), "/contract.rs"));
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = env::var("VERDICT_ADDRESS").unwrap_or("127.0.0.1:50051".into());
    let mut classifier = ClassifierServiceClient::connect(format!("http://{address}")).await?;
    let input = Some(Input::Text("a gripping film".into()));
    let mut request = tonic::Request::new(ClassifyRequest { input, ..Default::default() });
    request.set_timeout(Duration::from_secs(30));
    let reply = classifier.classify(request).await?.into_inner();
    let best = &reply.classification.expect("an answer").predictions[0];
    println!("{} {}", best.label, best.score);
    Ok(())
}
