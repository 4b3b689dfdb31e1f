//! Tells the linker what a Node addon needs; nothing without the `node` feature.
fn main() {
    #[cfg(feature = "node")]
    {
        napi_build::setup();
        // Node unloads an addon with the last environment that used it. mimalloc's code must outlive that: threads that end
        // later still give their memory back through it.
        if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "linux") {
            println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
        }
    }
}
