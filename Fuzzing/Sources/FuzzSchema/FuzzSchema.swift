import TidemarkTesting

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  FuzzTarget.schema.run(Array(UnsafeBufferPointer(start: start, count: count)))
  return 0
}
