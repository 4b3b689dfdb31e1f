#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| surecal_fuzz::stored(data));
