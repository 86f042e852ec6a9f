# Install: headers beside their rooms, static libraries, and a package file for find_package(Calor).
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(rooms core io kernels analyse report)
foreach(room ${rooms})
  install(TARGETS calor_${room} EXPORT CalorTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(DIRECTORY calor/${room} DESTINATION include/calor FILES_MATCHING PATTERN "*.h" PATTERN "*-inl.h" EXCLUDE)
endforeach()
install(FILES "${PROJECT_BINARY_DIR}/rooms/core/generated/calor/core/version.h" DESTINATION include/calor/core)
install(TARGETS calor RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(EXPORT CalorTargets NAMESPACE Calor:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/Calor)
configure_package_config_file(cmake/CalorConfig.cmake.in "${PROJECT_BINARY_DIR}/CalorConfig.cmake"
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/Calor)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/CalorConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/CalorConfig.cmake" "${PROJECT_BINARY_DIR}/CalorConfigVersion.cmake"
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/Calor)
