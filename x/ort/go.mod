module pare/x/ort

go 1.26.0

require pare v0.0.0

require github.com/yalue/onnxruntime_go v1.31.0

replace pare => ../..
