fn main() -> std::io::Result<()> {
    tonic_prost_build::configure()
        .build_server(false)
        .include_file("contract.rs")
        .compile_protos(&["../../proto/verdict/v1/classifier_service.proto"], &["../../proto"])
}
