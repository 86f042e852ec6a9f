// What a message of the MPI library takes between two processes: half of a round trip, the least of several, for sizes from 8 bytes to 32 MiB.
#include <mpi.h>

#include <algorithm>
#include <cstdio>
#include <limits>
#include <vector>

int main(int count, char** words) {
  MPI_Init(&count, &words);
  int rank = 0, processes = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &processes);
  if (processes != 2) {
    if (rank == 0) std::fprintf(stderr, "error: [ping] expected two processes, found %d: mpirun -n 2\n", processes);
    MPI_Finalize();
    return 2;
  }
  for (int size = 8; size <= 32 << 20; size *= 4) {
    std::vector<char> bytes(static_cast<std::size_t>(size));
    const int trips = std::max(20, std::min(2000, (64 << 20) / size));
    double least = std::numeric_limits<double>::infinity();
    for (int trip = 0; trip < trips; ++trip) {
      const double begin = MPI_Wtime();
      for (int side = 0; side < 2; ++side) {
        if (side == rank) MPI_Send(bytes.data(), size, MPI_CHAR, 1 - rank, 0, MPI_COMM_WORLD);
        else MPI_Recv(bytes.data(), size, MPI_CHAR, 1 - rank, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
      }
      least = std::min(least, (MPI_Wtime() - begin) / 2);
    }
    if (rank == 0) std::printf("%d %.9g\n", size, least);
  }
  MPI_Finalize();
  return 0;
}
