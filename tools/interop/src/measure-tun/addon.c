// read(2) and write(2) as the smallest native addon would offer them, to be measured beside koffi.
#include <node_api.h>
#include <unistd.h>

static napi_value answer(napi_env env, ssize_t count) {
  napi_value value;
  napi_create_int32(env, (int32_t)count, &value);
  return value;
}

// read(descriptor, bytes, length)
static napi_value read_into(napi_env env, napi_callback_info info) {
  size_t count = 3;
  napi_value arguments[3];
  int32_t descriptor, length;
  void *bytes;
  napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
  napi_get_value_int32(env, arguments[0], &descriptor);
  napi_get_typedarray_info(env, arguments[1], NULL, NULL, &bytes, NULL, NULL);
  napi_get_value_int32(env, arguments[2], &length);
  return answer(env, read(descriptor, bytes, length));
}

// write(descriptor, bytes, offset, length)
static napi_value write_from(napi_env env, napi_callback_info info) {
  size_t count = 4;
  napi_value arguments[4];
  int32_t descriptor, offset, length;
  void *bytes;
  napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
  napi_get_value_int32(env, arguments[0], &descriptor);
  napi_get_typedarray_info(env, arguments[1], NULL, NULL, &bytes, NULL, NULL);
  napi_get_value_int32(env, arguments[2], &offset);
  napi_get_value_int32(env, arguments[3], &length);
  return answer(env, write(descriptor, (char *)bytes + offset, length));
}

NAPI_MODULE_INIT() {
  napi_value function;
  napi_create_function(env, "read", NAPI_AUTO_LENGTH, read_into, NULL, &function);
  napi_set_named_property(env, exports, "read", function);
  napi_create_function(env, "write", NAPI_AUTO_LENGTH, write_from, NULL, &function);
  napi_set_named_property(env, exports, "write", function);
  return exports;
}
